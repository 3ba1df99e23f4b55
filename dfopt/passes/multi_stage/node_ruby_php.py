"""What the package tools of Node, Ruby and PHP write, and programs that an interpreter runs."""

from __future__ import annotations

import re

from dfopt.analysis.context_documents import json_object, member
from dfopt.passes.multi_stage.tool_outputs import add, own_script
from dfopt.passes.multi_stage.unblock import APART, PREFIX
from dfopt.passes.multi_stage.written_paths import WrittenPath
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.passes.multi_stage.flow import ToolCall
    from dfopt.passes.multi_stage.tool_outputs import ToolContext, ToolOutputs


def npm(context: ToolContext, call: ToolCall, out: ToolOutputs) -> None:
    words = [word or "$" for word in call.words]
    name = next((word for word in words if not word.startswith("-")), "install" if call.program == "yarn" else "")
    everywhere = "-g" in words or "--global" in words or "--location=global" in words or name == "global"
    if name in ("cache", "config", "set", "--version", "audit", "fund", "prune", "dedupe", "test", "lint", "version"):
        return
    if name in ("install", "i", "ci", "add", "clean-install", "install-clean", "update", "rebuild", "link", "global"):
        if everywhere:
            names = [w for w in call.operands("--prefix", "--registry")[1:] if w]
            for name in names:
                if re.fullmatch(
                    r"(?:npm|yarn|pnpm|corepack|node-gyp|typescript|@angular/cli|@vue/cli|gulp|gulp-cli|grunt|grunt-cli|webpack|webpack-cli|vite|bower|rimraf|ts-node|nodemon|eslint)(?:@.*)?",
                    name,
                ):
                    continue
                out.notes["global"] = out.notes.get("global", "") + " " + name
            out.notes["global-line"] = str(call.line)
        else:
            out.notes["modules-installed"] = call.directory
            out.paths.append(
                WrittenPath(call.directory.rstrip("/") + "/node_modules", call.step, "tool", role="packages")
            )
        return
    if name in ("run", "run-script", "build", "exec", "generate") or call.program in (
        "npx",
        "ng",
        "vite",
        "webpack",
        "tsc",
        "gulp",
        "grunt",
        "next",
        "react-scripts",
        "vue-cli-service",
    ):
        script = (
            next((word for word in words[words.index(name) + 1 :] if not word.startswith("-")), "")
            if name in ("run", "run-script")
            else (name or call.program)
        )
        _package_script(context, call, out, script)
        return
    if call.program in ("yarn", "pnpm", "bun"):  # `yarn build` is `yarn run build`
        _package_script(context, call, out, name)
        return
    raise Refusal(f"what `{call.program} {name}` in line {call.line} writes is not known", APART)


def _package_script(context: ToolContext, call: ToolCall, out: ToolOutputs, name: str) -> None:
    """A script of package.json, or a program of node_modules: they write below the project."""
    out.work.append(call.directory)
    text = context.text(call.directory.rstrip("/") + "/package.json")
    body = str(member(json_object(text), "scripts").get(name, ""))
    words = " ".join([body, *[word or "" for word in call.words]])
    if re.search(r"(?:^|[\s=\"'])(?:/[a-z]|~/|\.\./)", words):
        raise Refusal(f"{call.program} in line {call.line} writes outside of the project", PREFIX)
    out.scripts.append((call.line, f"{call.program} {name}"))


def bundle(context: ToolContext, call: ToolCall, out: ToolOutputs) -> None:
    words = [word or "$" for word in call.words]
    name = next((word for word in words if not word.startswith("-")), "install")
    if call.program == "gem" and name in ("update", "list", "cleanup", "env", "sources"):
        return
    if name == "config":
        text = " ".join(words)
        match = re.search(r"\b(path|deployment)\b(?:\s+['\"]?([^\s'\"]+))?", text)
        if match and match[1] == "path":
            out.notes["bundle-path"] = match[2] or ""
        elif match and match[2] != "false":
            out.notes["bundle-path"] = "vendor/bundle"
        return
    if name in ("exec",):
        raise Refusal(f"what `bundle exec` in line {call.line} writes is not known", APART)
    if name not in ("install", "update", "clean", "lock", "check"):
        raise Refusal(f"what `{call.program} {name}` in line {call.line} writes is not known", APART)
    path = (call.after("--path") or [None])[-1] or call.assignments.get("BUNDLE_PATH") or out.notes.get("bundle-path")
    if "--deployment" in words:
        path = path or "vendor/bundle"
    if path and call.program == "bundle":
        add(out, call, path, "packages")
    else:
        out.notes["gems"] = str(call.line)


def composer(context: ToolContext, call: ToolCall, out: ToolOutputs) -> None:
    out.paths.append(WrittenPath(call.directory.rstrip("/") + "/vendor", call.step, "tool", role="packages"))


def interpreter(context: ToolContext, call: ToolCall, out: ToolOutputs) -> None:
    words = [word or "$" for word in call.words]
    if not words or words[0] in ("--version", "-v", "-V"):
        return
    operand = next((word for word in words if not word.startswith("-")), "")
    if any(word in ("-e", "-r", "-p", "--eval", "-c") for word in words[:1]) or not operand:
        raise Refusal(f"what the {call.program} program in line {call.line} writes is not known", APART)
    own_script(context, call, out, operand)


def nothing(context: ToolContext, call: ToolCall, out: ToolOutputs) -> None:
    """Tools that prepare others: rustup, go's and node's version switches."""
