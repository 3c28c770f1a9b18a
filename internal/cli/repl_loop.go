package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/reeflective/readline"

	"github.com/llmspell/llmspell/client"
	"github.com/llmspell/llmspell/internal/daemon"
	"github.com/llmspell/llmspell/lua"
)

// errExit leaves the REPL.
var errExit = errors.New("exit")

const replHelp = `.help           this text
.exit           leave (also Ctrl+D)
.load FILE      run a file in this session
.save FILE      write the chunks entered so far
.clear          clear the screen
.reset          start over with a fresh interpreter
.vars           list your globals
.info           where this session runs
.time on|off    show how long each chunk takes
.chat TEXT      ask the model
.model M        model for .chat
.system TEXT    system prompt for .chat`

// repl is one interactive session.
type repl struct {
	app     *app
	in      interpreter
	ctx     context.Context
	entered []string
	timing  bool
	model   string
	system  string
}

// pipe runs standard input chunk by chunk and stops at the first error.
func (r *repl) pipe() error {
	lines := bufio.NewScanner(r.app.env.Stdin)
	lines.Buffer(nil, maxScript)
	chunk := ""
	for lines.Scan() {
		chunk += lines.Text() + "\n"
		if incomplete(chunk) && !strings.HasPrefix(chunk, ".") {
			continue
		}
		if err := r.eval(chunk); err != nil {
			return leave(err)
		}
		chunk = ""
	}
	if err := lines.Err(); err != nil {
		return err
	}
	if strings.TrimSpace(chunk) == "" {
		return nil
	}
	return leave(r.eval(chunk))
}

func leave(err error) error {
	if errors.Is(err, errExit) {
		return nil
	}
	return err
}

// interact reads from the terminal until Ctrl+D.
func (r *repl) interact(history string) error {
	shell := readline.NewShell()
	shell.Prompt.Primary(func() string { return "lua> " })
	shell.Prompt.Secondary(func() string { return "...> " })
	shell.AcceptMultiline = func(line []rune) bool {
		s := string(line)
		return strings.HasPrefix(s, ".") || !incomplete(s)
	}
	shell.Completer = r.completions
	if os.MkdirAll(filepath.Dir(history), 0o700) == nil {
		shell.History.AddFromFile("repl", history)
	}
	r.app.note("llmspell repl, Lua 5.4 (%s). .help lists the commands, Ctrl+D leaves.", r.in.Info())
	for {
		line, err := shell.Readline()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, readline.ErrInterrupt):
			continue
		case err != nil:
			return err
		}
		if err := r.eval(line); errors.Is(err, errExit) {
			return nil
		} else if err != nil {
			r.app.report(err)
		}
	}
}

func (r *repl) completions(line []rune, cursor int) readline.Completions {
	matches, start := r.in.Complete(r.ctx, string(line), cursor)
	word := ""
	if start <= cursor && cursor <= len(line) {
		word = string(line[start:cursor])
	}
	c := readline.CompleteValues(matches...)
	c.PREFIX = word
	return c
}

// eval runs one chunk or dot command. Ctrl+C meanwhile interrupts it.
func (r *repl) eval(chunk string) error {
	if strings.TrimSpace(chunk) == "" {
		return nil
	}
	if strings.HasPrefix(chunk, ".") {
		return r.command(strings.TrimSpace(chunk))
	}
	r.entered = append(r.entered, strings.TrimRight(chunk, "\n"))
	return r.run(chunk)
}

func (r *repl) run(code string) error {
	stop := daemon.OnInterrupt(r.in.Interrupt)
	defer stop()
	start := time.Now()
	text, err := r.in.Run(r.ctx, code, r.app.env.Stdout)
	if err != nil {
		r.app.traceback(err)
		return err
	}
	if text != "" {
		r.app.printf("%s\n", text)
	}
	if r.timing {
		r.app.note("%v", time.Since(start).Round(time.Microsecond))
	}
	return nil
}

// command runs a dot command.
func (r *repl) command(line string) error {
	name, arg, _ := strings.Cut(line, " ")
	arg = strings.TrimSpace(arg)
	switch name {
	case ".help":
		return r.app.printf("%s\n", replHelp)
	case ".exit":
		return errExit
	case ".clear":
		return r.app.printf("\x1b[H\x1b[2J")
	case ".info":
		return r.app.printf("%s\n", r.in.Info())
	case ".reset":
		r.entered = nil
		return r.in.Reset(r.ctx)
	case ".vars":
		return r.run(varsChunk)
	case ".time":
		if arg != "on" && arg != "off" {
			return usagef(".time on|off")
		}
		r.timing = arg == "on"
		return nil
	case ".load":
		source, err := r.app.readAll(arg, maxScript)
		if err != nil {
			return err
		}
		return r.run(string(source))
	case ".save":
		return os.WriteFile(arg, []byte(strings.Join(r.entered, "\n")+"\n"), 0o600)
	case ".model":
		r.model = arg
		return nil
	case ".system":
		r.system = arg
		return nil
	case ".chat":
		return r.run(r.chatChunk(arg))
	}
	return usagef("unknown command %s; .help lists them", name)
}

const varsChunk = `local seen, names = {}, {}
for _, n in ipairs{"_G", "_VERSION", "ARGS", "arg"} do seen[n] = true end
for n, v in pairs(_G) do
  if not seen[n] and type(v) ~= "function" and not (type(v) == "table" and (getmetatable(v) == false or package and package.loaded[n] == v)) then names[#names + 1] = n end
end
table.sort(names)
for _, n in ipairs(names) do print(n .. " = " .. tostring(_G[n])) end`

// chatChunk is the Lua that asks the model.
func (r *repl) chatChunk(prompt string) string {
	options := ""
	if r.model != "" {
		options += "model = " + quote(r.model) + ", "
	}
	if r.system != "" {
		options += "system_prompt = " + quote(r.system)
	}
	return fmt.Sprintf("return Agent.query(%s, {%s})", quote(prompt), options)
}

// quote writes a Lua string literal.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ':
			fmt.Fprintf(&b, "\\%03d", c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// incomplete reports whether more lines could make the chunk valid.
func incomplete(chunk string) bool {
	_, err := lua.Compile("=repl", chunk, lua.CompileOptions{Expression: true})
	e, ok := errors.AsType[*lua.SyntaxError](err)
	return ok && e.Incomplete
}

// printOutput writes the text of an output event.
func (a *app) printOutput(data []byte) error {
	o, err := client.ParseOutput(data)
	if err != nil {
		return err
	}
	w := a.env.Stdout
	if o.Stream == "stderr" {
		w = a.env.Stderr
	}
	_, err = io.WriteString(w, o.Text)
	return err
}
