package server

import (
	"encoding/json"
	"net/http"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/llmspell/llmspell"
	"github.com/llmspell/llmspell/internal/buildinfo"
)

func getOpenAPI(a *api, w http.ResponseWriter, _ *http.Request) error {
	writeBody(w, http.StatusOK, "application/json", a.openAPI)
	return nil
}

type object = map[string]any

var pathParam = regexp.MustCompile(`\{(\w+)(\.\.\.)?\}`)

// openAPIDocument describes the route table as OpenAPI 3.1.
func openAPIDocument() []byte {
	paths := object{}
	for _, rt := range routes {
		path := pathParam.ReplaceAllString(rt.Path, "{$1}")
		item, ok := paths[path].(object)
		if !ok {
			item = object{}
			paths[path] = item
		}
		item[strings.ToLower(rt.Method)] = operation(rt)
	}
	doc := object{
		"openapi": "3.1.0",
		"info":    object{"title": "llmspell", "version": buildinfo.Version, "description": "HTTP API of a llmspell kernel."},
		"paths":   paths,
		"components": object{
			"securitySchemes": object{"token": object{"type": "http", "scheme": "bearer"}},
			"schemas":         object{"Problem": schemaOf(Problem{})},
		},
	}
	data, err := json.Marshal(doc)
	if err != nil {
		panic(err) // the table is a constant of the program; a test builds it
	}
	return data
}

func operation(rt route) object {
	op := object{
		"summary":     rt.Summary,
		"operationId": operationID(rt),
		"responses": object{
			strconv.Itoa(rt.Status): success(rt),
			"default": object{"description": "Problem", "content": object{
				"application/problem+json": object{"schema": object{"$ref": "#/components/schemas/Problem"}},
			}},
		},
	}
	if params := pathParam.FindAllStringSubmatch(rt.Path, -1); params != nil {
		var list []object
		for _, p := range params {
			list = append(list, object{"name": p[1], "in": "path", "required": true, "schema": object{"type": "string"}})
		}
		op["parameters"] = list
	}
	if rt.Access != accessOpen {
		op["security"] = []object{{"token": []string{}}}
		op["x-scope"] = string(rt.Access)
	}
	if rt.Body {
		schema := any(object{})
		if rt.Request != nil {
			schema = schemaOf(rt.Request)
		}
		op["requestBody"] = object{"content": object{"application/json": object{"schema": schema}}}
	}
	return op
}

func success(rt route) object {
	out := object{"description": http.StatusText(rt.Status)}
	content := object{}
	if rt.Response != nil {
		content["application/json"] = object{"schema": schemaOf(rt.Response)}
	}
	if rt.Stream {
		content["text/event-stream"] = object{"schema": object{"type": "string"}}
	}
	if len(content) > 0 {
		out["content"] = content
	}
	return out
}

func operationID(rt route) string {
	path := pathParam.ReplaceAllString(rt.Path, "by_$1")
	return strings.ToLower(rt.Method) + strings.NewReplacer("/", "_", ".", "_").Replace(path)
}

// schemaOf is the JSON Schema of a Go value's type.
func schemaOf(v any) *jsonschema.Schema {
	s, err := jsonschema.ForType(reflect.TypeOf(v), &jsonschema.ForOptions{
		TypeSchemas: map[reflect.Type]*jsonschema.Schema{
			reflect.TypeFor[time.Time]():       {Type: "string", Format: "date-time"},
			reflect.TypeFor[json.RawMessage](): {},
			reflect.TypeFor[llmspell.Result](): schemaOfExecute(),
		},
	})
	if err != nil {
		panic(err) // as above
	}
	return s
}

// schemaOfExecute is what llmspell.Result marshals to.
func schemaOfExecute() *jsonschema.Schema {
	s, err := jsonschema.ForType(reflect.TypeFor[ExecuteResponse](), &jsonschema.ForOptions{
		TypeSchemas: map[reflect.Type]*jsonschema.Schema{reflect.TypeFor[json.RawMessage](): {}},
	})
	if err != nil {
		panic(err)
	}
	return s
}
