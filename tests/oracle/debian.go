package main

// What differs from one BuildKit release to the next stands here: this is for the one that Debian 13 packages.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/containerd/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// packaged is the version of Debian's golang-github-docker-docker-dev; build.sh fills it in.
var packaged = "unknown"

// locs gives the first and last line of each place that an error names.
func locs(err error) [][2]int {
	var out [][2]int
	var l *parser.ErrorLocation
	if errors.As(err, &l) {
		for _, rs := range l.Locations {
			for _, r := range rs {
				out = append(out, [2]int{r.Start.Line, r.End.Line})
			}
		}
	}
	return out
}

func lexWord(l *shell.Lex, w string, env []string) any {
	r, err := l.ProcessWord(w, env)
	if err != nil {
		return map[string]any{"err": err.Error()}
	}
	ws, err := l.ProcessWords(w, env)
	if err != nil {
		return map[string]any{"err": err.Error()}
	}
	return map[string]any{"result": r, "words": ws}
}

type resolver struct{}

// canned base image: linux/amd64, PATH set, root, no onbuild
func (resolver) ResolveImageConfig(ctx context.Context, ref string, opt sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	img := map[string]any{"architecture": "amd64", "os": "linux", "config": map[string]any{
		"Env": []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{digest.FromString(ref).String()}}}
	dt, _ := json.Marshal(img)
	return ref, digest.FromString(ref), dt, nil
}

// known also has the settings of some images that a build on them stands on (their Dockerfiles, docker-library, 2025).
type known struct{}

func (known) ResolveImageConfig(ctx context.Context, ref string, opt sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	name, d, dt, err := resolver{}.ResolveImageConfig(ctx, ref, opt)
	if err != nil {
		return name, d, dt, err
	}
	var img map[string]any
	if err := json.Unmarshal(dt, &img); err != nil {
		return name, d, dt, err
	}
	config := img["config"].(map[string]any)
	switch repository, _, _ := strings.Cut(strings.TrimPrefix(ref, "docker.io/library/"), ":"); repository {
	case "golang":
		config["WorkingDir"] = "/go"
		config["Env"] = []string{"PATH=/go/bin:/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "GOPATH=/go"}
	case "debian":
		config["Cmd"] = []string{"bash"}
	case "ubuntu":
		config["Cmd"] = []string{"/bin/bash"}
	case "alpine":
		config["Cmd"] = []string{"/bin/sh"}
	case "busybox":
		config["Cmd"] = []string{"sh"}
	}
	dt, err = json.Marshal(img)
	return name, d, dt, err
}

func opts(dt []byte, target string, images llb.ImageMetaResolver) dockerfile2llb.ConvertOpt {
	p := platforms.Normalize(ocispecs.Platform{OS: "linux", Architecture: "amd64"})
	caps := pb.Caps.CapSet(pb.Caps.All())
	scratch := llb.Scratch()
	sm := llb.NewSourceMap(&scratch, "Dockerfile", "Dockerfile", dt)
	sm.Definition = &llb.Definition{}
	return dockerfile2llb.ConvertOpt{
		Config:         dockerui.Config{BuildArgs: map[string]string{}, Target: target, BuildPlatforms: []ocispecs.Platform{p}},
		TargetPlatform: &p,
		MetaResolver:   images,
		LLBCaps:        &caps,
		SourceMap:      sm,
	}
}

// convert makes LLB, and the image config without times, of a Dockerfile.
func convert(dt []byte, target string, images llb.ImageMetaResolver) (*llb.Definition, map[string]any, error) {
	st, image, _, _, err := dockerfile2llb.Dockerfile2LLB(context.Background(), dt, opts(dt, target, images))
	if err != nil {
		return nil, nil, err
	}
	def, err := st.Marshal(context.Background(), llb.LinuxAmd64)
	if err != nil {
		return nil, nil, err
	}
	img, _ := json.Marshal(image)
	var m map[string]any
	if err := json.Unmarshal(img, &m); err != nil {
		return nil, nil, err
	}
	delete(m, "created")
	if hs, ok := m["history"].([]any); ok {
		for _, x := range hs {
			delete(x.(map[string]any), "created")
		}
	}
	return def, m, nil
}

// llb2json converts a Dockerfile to LLB. "head" is the digest of the whole graph: comments, blank lines and the case of
// keywords do not change it, what changes the build does.
func llb2json(p string, dt []byte, target string) any {
	def, image, err := convert(dt, target, resolver{})
	if err != nil {
		return map[string]any{"path": p, "err": err.Error()}
	}
	var ops []string
	for _, b := range def.Def {
		var op pb.Op
		if err := op.Unmarshal(b); err != nil {
			return map[string]any{"path": p, "err": err.Error()}
		}
		ops = append(ops, opText(&op))
	}
	h, err := def.Head()
	if err != nil {
		return map[string]any{"path": p, "err": err.Error()}
	}
	return map[string]any{"path": p, "head": h.String(), "ops": ops, "image": image}
}

// graph2json gives the LLB graph itself: "graph", each operation with its "digest", "inputs" ([digest, output]) and "op"
// (the JSON of BuildKit's own structures; null for the last, whose input is the result), each after its inputs.
func graph2json(dt []byte, target string) any {
	def, image, err := convert(dt, target, known{})
	if err != nil {
		return map[string]any{"err": err.Error()}
	}
	graph := []any{}
	for _, b := range def.Def {
		var op pb.Op
		if err := op.Unmarshal(b); err != nil {
			return map[string]any{"err": err.Error()}
		}
		inputs := []any{}
		for _, in := range op.Inputs {
			inputs = append(inputs, []any{in.Digest.String(), in.Index})
		}
		graph = append(graph, map[string]any{"digest": digest.FromBytes(b).String(), "inputs": inputs, "op": op.Op})
	}
	return map[string]any{"graph": graph, "image": image}
}

func opText(op *pb.Op) string {
	switch v := op.Op.(type) {
	case *pb.Op_Source:
		return "source " + v.Source.Identifier
	case *pb.Op_Exec:
		return fmt.Sprintf("exec %q env=%q cwd=%s user=%s mounts=%d", v.Exec.Meta.Args, v.Exec.Meta.Env, v.Exec.Meta.Cwd, v.Exec.Meta.User, len(v.Exec.Mounts))
	case *pb.Op_File:
		var s string
		for _, a := range v.File.Actions {
			s += fmt.Sprintf("%T ", a.Action)
		}
		return "file " + s
	case *pb.Op_Merge:
		return "merge"
	case *pb.Op_Diff:
		return "diff"
	}
	return "op"
}
