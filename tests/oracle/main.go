// Command oracle prints, as JSON, what BuildKit's own Dockerfile parser,
// instruction parser, word lexer and LLB converter make of a Dockerfile. It is
// the judge in dfopt's tests and no part of dfopt itself.
//
//	oracle version                  which BuildKit this is
//	oracle parse FILE...            one JSON line per file: AST and instructions
//	oracle llb [-target T] FILE...  LLB graph digest, operations and image config;
//	                                base images come from a canned resolver
//
// The others answer each line of standard input with one line:
//
//	oracle batch      {"src":"<base64>"}                -> as parse
//	oracle llbbatch   {"src":"<base64>","target":"T"}   -> as llb
//	oracle graph      {"src":"<base64>","target":"T"}   -> "graph" (every operation with its inputs) and "image"
//	oracle words      {"word","env":["A=1"],"escape","raw_quotes","raw_escapes",
//	                   "skip_quotes","skip_unset"}      -> {"result","words"} or {"err"}
//	oracle images     {"name"}                          -> the image name's parts or {"err"}
//	oracle ignore     {"src":"<base64>","files":[...]}  -> {"patterns","left"}: of a .dockerignore, or {"err"}
//	oracle match      {"pattern","name"}                -> {"match"}: Go's filepath.Match, or {"err"}
//
// FILE... may be a lone "-": file names on standard input, one a line. A panic
// of BuildKit becomes an "err" that begins with "PANIC: ".
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

type Node struct {
	Value    string           `json:"value"`
	Original string           `json:"original,omitempty"`
	Flags    []string         `json:"flags,omitempty"`
	Attrs    map[string]bool  `json:"attrs,omitempty"`
	Heredocs []parser.Heredoc `json:"heredocs,omitempty"`
	Comments []string         `json:"prev_comment,omitempty"`
	Start    int              `json:"start,omitempty"`
	End      int              `json:"end,omitempty"`
	Next     []*Node          `json:"args,omitempty"`
	Children []*Node          `json:"children,omitempty"`
}

func conv(n *parser.Node, top bool) *Node {
	o := &Node{Value: n.Value, Original: n.Original, Flags: n.Flags, Attrs: n.Attributes,
		Heredocs: n.Heredocs, Comments: n.PrevComment, Start: n.StartLine, End: n.EndLine}
	for _, c := range n.Children {
		o.Children = append(o.Children, conv(c, true))
	}
	if top {
		for a := n.Next; a != nil; a = a.Next {
			o.Next = append(o.Next, conv(a, false))
		}
	}
	return o
}

type Out struct {
	Path      string          `json:"path,omitempty"`
	Err       string          `json:"err,omitempty"`
	ErrLines  [][2]int        `json:"err_lines,omitempty"`
	Escape    string          `json:"escape,omitempty"`
	AST       []*Node         `json:"ast,omitempty"`
	Warnings  []string        `json:"warnings,omitempty"`
	InstErr   string          `json:"inst_err,omitempty"`
	InstLines [][2]int        `json:"inst_err_lines,omitempty"`
	Meta      json.RawMessage `json:"meta_args,omitempty"`
	Stages    json.RawMessage `json:"stages,omitempty"`
}

type cmdOut struct {
	Type    string `json:"type"`
	Name    string `json:"name"`
	Lines   [2]int `json:"lines"`
	Code    string `json:"code"`
	Data    any    `json:"data"`
	Mounts  any    `json:"mounts,omitempty"`
	Network string `json:"network,omitempty"`
}

type stageOut struct {
	Name, BaseName, Platform, SourceCode string
	Lines                                [2]int
	Commands                             []cmdOut
}

func cmdJSON(c instructions.Command) cmdOut {
	o := cmdOut{Type: strings.TrimPrefix(fmt.Sprintf("%T", c), "*instructions."), Name: c.Name(), Data: c}
	if l := c.Location(); len(l) > 0 {
		o.Lines = [2]int{l[0].Start.Line, l[len(l)-1].End.Line}
	}
	if s, ok := c.(fmt.Stringer); ok {
		o.Code = s.String()
	}
	if r, ok := c.(*instructions.RunCommand); ok {
		// mount values are only evaluated with an expander: use identity
		if err := r.Expand(func(w string) (string, error) { return w, nil }); err != nil {
			o.Mounts = map[string]string{"err": err.Error()}
		} else {
			o.Mounts = instructions.GetMounts(r)
		}
		o.Network = string(instructions.GetNetwork(r))
	}
	return o
}

// parse gives the AST, and the instructions where the AST has no error.
func parse(path string, src []byte) (o Out) {
	o.Path = path
	defer func() {
		if r := recover(); r != nil {
			o.Err = fmt.Sprintf("PANIC: %v", r)
		}
	}()
	res, err := parser.Parse(bytes.NewReader(src))
	if err != nil {
		o.Err, o.ErrLines = err.Error(), locs(err)
		return
	}
	o.Escape = string(res.EscapeToken)
	for _, c := range res.AST.Children {
		o.AST = append(o.AST, conv(c, true))
	}
	for _, w := range res.Warnings {
		o.Warnings = append(o.Warnings, w.Short)
	}
	stages, meta, err := instructions.Parse(res.AST)
	if err != nil {
		o.InstErr, o.InstLines = err.Error(), locs(err)
		return
	}
	o.Meta, _ = json.Marshal(meta)
	var so []stageOut
	for _, s := range stages {
		x := stageOut{Name: s.Name, BaseName: s.BaseName, Platform: s.Platform, SourceCode: s.SourceCode}
		if len(s.Location) > 0 {
			x.Lines = [2]int{s.Location[0].Start.Line, s.Location[len(s.Location)-1].End.Line}
		}
		for _, c := range s.Commands {
			x.Commands = append(x.Commands, cmdJSON(c))
		}
		so = append(so, x)
	}
	o.Stages, _ = json.Marshal(so)
	return
}

type wordReq struct {
	Word       string   `json:"word"`
	Env        []string `json:"env"`
	Escape     string   `json:"escape"`
	RawQuotes  bool     `json:"raw_quotes"`
	RawEscapes bool     `json:"raw_escapes"`
	SkipQuotes bool     `json:"skip_quotes"`
	SkipUnset  bool     `json:"skip_unset"`
}

func words(r wordReq) any {
	esc := '\\'
	if r.Escape == "`" {
		esc = '`'
	}
	l := shell.NewLex(esc)
	l.RawQuotes, l.RawEscapes, l.SkipProcessQuotes, l.SkipUnsetEnv = r.RawQuotes, r.RawEscapes, r.SkipQuotes, r.SkipUnset
	return lexWord(l, r.Word, r.Env)
}

// answer handles one line of a request mode.
func answer(mode string, line []byte) (reply any) {
	defer func() {
		if r := recover(); r != nil {
			reply = map[string]string{"err": fmt.Sprintf("PANIC: %v", r)}
		}
	}()
	var r struct {
		wordReq
		Src     string
		Target  string
		Name    string
		Files   []string
		Pattern string
	}
	if err := json.Unmarshal(line, &r); err != nil {
		return map[string]string{"err": err.Error()}
	}
	switch mode {
	case "words":
		return words(r.wordReq)
	case "images":
		return imageName(r.Name)
	case "match":
		return fileMatch(r.Pattern, r.Name)
	}
	src, err := base64.StdEncoding.DecodeString(r.Src)
	if err != nil {
		return map[string]string{"err": err.Error()}
	}
	switch mode {
	case "llbbatch":
		return llb2json("", src, r.Target)
	case "graph":
		return graph2json(src, r.Target)
	case "ignore":
		return ignored(src, r.Files)
	}
	return parse("", src)
}

// imageName takes an image name apart as docker and BuildKit do.
func imageName(name string) any {
	ref, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return map[string]string{"err": err.Error()}
	}
	o := map[string]string{"domain": reference.Domain(ref), "path": reference.Path(ref), "tag": "", "digest": "",
		"normalized": ref.String(), "familiar": reference.FamiliarString(ref)}
	if t, ok := ref.(reference.Tagged); ok {
		o["tag"] = t.Tag()
	}
	if d, ok := ref.(reference.Digested); ok {
		o["digest"] = d.Digest().String()
	}
	return o
}

func main() {
	enc := json.NewEncoder(bufferedStdout)
	enc.SetEscapeHTML(false)
	defer bufferedStdout.Flush()
	mode := "parse"
	args := os.Args[1:]
	if len(args) > 0 {
		mode, args = args[0], args[1:]
	}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 1<<26)
	if len(args) == 1 && args[0] == "-" { // file names on standard input
		args = nil
		for in.Scan() {
			args = append(args, in.Text())
		}
	}
	switch mode {
	case "version":
		fmt.Println("golang-github-docker-docker-dev", packaged)
	case "parse":
		for _, p := range args {
			b, err := os.ReadFile(p)
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(2)
			}
			enc.Encode(parse(p, b))
		}
	case "batch", "llbbatch", "graph", "words", "images", "ignore", "match":
		for in.Scan() {
			enc.Encode(answer(mode, in.Bytes()))
			bufferedStdout.Flush()
		}
	case "llb":
		target := ""
		if len(args) > 1 && args[0] == "-target" {
			target, args = args[1], args[2:]
		}
		for _, p := range args {
			b, err := os.ReadFile(p)
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(2)
			}
			enc.Encode(llb2json(p, b, target))
		}
	default:
		fmt.Fprintln(os.Stderr, "unknown mode", mode)
		os.Exit(2)
	}
}

var bufferedStdout = bufio.NewWriterSize(os.Stdout, 1<<16)
