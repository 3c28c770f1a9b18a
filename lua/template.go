package lua

// Template is the content of a table built once per process. The tables that
// states make from it share its entries until the first write, so that a host
// can give thousands of states large libraries. Immutable.
type Template struct{ template }

// Field is an entry of a Template. Value is a *Function, string, bool, int64 or
// float64.
type Field struct {
	Name  string
	Value any
}

// NewTemplate returns a template with the fields in the given order. It panics
// on a value of another type: templates are made when a program starts.
func NewTemplate(fields []Field) *Template {
	t := &Template{template{table: *newTable(0, 0, len(fields))}}
	for _, f := range fields {
		t.table.set(internConstant(f.Name), fieldValue(f.Value))
	}
	return t
}

func fieldValue(v any) Value {
	switch v := v.(type) {
	case *Function:
		return v.Value()
	case bool:
		return Boolean(v)
	}
	return constantValue(v)
}

// TableOf returns a new table with the content of t.
func (s *State) TableOf(t *Template) *Table { return s.borrow(&t.template) }
