package main

import (
	"bytes"
	"context"
	"io"
	gofs "io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/moby/patternmatcher/ignorefile"
	"github.com/tonistiigi/fsutil"
	"github.com/tonistiigi/fsutil/types"
)

// tree is a file system that holds nothing but names: every directory of a
// path is there, in the order in which filepath.WalkDir goes.
type tree struct{ children map[string][]string }

func newTree(files []string) *tree {
	t := &tree{map[string][]string{}}
	seen := map[string]bool{}
	for _, f := range files {
		for parts, i := strings.Split(f, "/"), 1; i <= len(parts); i++ {
			p := strings.Join(parts[:i], "/")
			if !seen[p] {
				seen[p] = true
				dir := strings.Join(parts[:i-1], "/")
				t.children[dir] = append(t.children[dir], p)
			}
		}
	}
	for _, c := range t.children {
		sort.Strings(c)
	}
	return t
}

func (t *tree) Open(string) (io.ReadCloser, error) { return nil, os.ErrNotExist }

func (t *tree) Walk(_ context.Context, _ string, fn gofs.WalkDirFunc) error { return t.walk("", fn) }

func (t *tree) walk(dir string, fn gofs.WalkDirFunc) error {
	for _, p := range t.children[dir] {
		st := &types.Stat{Path: p, Mode: 0o644}
		if len(t.children[p]) > 0 {
			st.Mode = uint32(os.ModeDir | 0o755)
		}
		switch err := fn(p, &fsutil.DirEntryInfo{Stat: st}, nil); {
		case err == filepath.SkipDir && st.IsDir():
		case err == filepath.SkipDir:
			return nil
		case err != nil:
			return err
		case st.IsDir():
			if err := t.walk(p, fn); err != nil {
				return err
			}
		}
	}
	return nil
}

// ignored tells which files a .dockerignore leaves in a build context: what the
// client reads of it, and what the walk that sends the context makes of that.
func ignored(content []byte, files []string) any {
	patterns, err := ignorefile.ReadAll(bytes.NewReader(content))
	if err != nil {
		return map[string]any{"err": err.Error()}
	}
	left := []string{}
	filter, err := fsutil.NewFilterFS(newTree(files), &fsutil.FilterOpt{ExcludePatterns: patterns})
	if err == nil {
		err = filter.Walk(context.Background(), "/", func(p string, d gofs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				left = append(left, p)
			}
			return err
		})
	}
	if err != nil {
		return map[string]any{"err": err.Error(), "patterns": patterns}
	}
	return map[string]any{"left": left, "patterns": patterns}
}

func fileMatch(pattern, name string) any {
	ok, err := filepath.Match(pattern, name)
	if err != nil {
		return map[string]any{"err": err.Error()}
	}
	return map[string]any{"match": ok}
}
