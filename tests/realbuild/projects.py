"""Small projects, one of each kind that `dependency-layers` knows, with the registry that they install from.

Each installs the package `greet` and says its word. `base` is the image that stands in for the FROM of the Dockerfile:
the local base, set up for the registry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dfopt.record import Record, replace

from . import registries

WORD = registries.WORD


class Project(Record):
    """One project.

    dockerfile  as people write it: sources, then the install
    files       the build context: name -> text
    base        Dockerfile of the stand-in for `image`, the image of its first FROM
    served      the registry's files
    source      the file whose change rebuilds: its text with `# changed` in the file's own comment
    change      the comment's beginning
    said        a shell command that says the word, in the last stage's image ("" where it has no shell)
    noise       patterns of paths in which two builds of the same file differ already
    tier        of the fix
    """

    image: str
    dockerfile: str
    files: Mapping[str, str]
    base: str
    served: Mapping[str, bytes]
    source: str
    change: str
    said: str
    noise: tuple[str, ...]
    tier: str = "safe"


def npm(url: str) -> Project:
    served, lock = registries.npm_package(url)
    return Project(
        "node:22-slim",
        'FROM node:22-slim\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCMD ["node", "main.js"]\n',
        {
            "package.json": '{"name": "app", "version": "1.0.0", "dependencies": {"greet": "1.0.0"}}\n',
            "package-lock.json": lock,
            "main.js": 'console.log(require("greet"));\n',
        },
        f"FROM node:22-slim\nENV NPM_CONFIG_REGISTRY={url}/npm/\n",
        served,
        "main.js",
        "//",
        "node main.js",
        ("/root/.npm/**",),
    )


def yarn(url: str) -> Project:
    made = npm(url)
    files = {path: text for path, text in made.files.items() if path != "package-lock.json"}
    return Project(
        made.image,
        "FROM node:22-slim\nWORKDIR /app\nCOPY . .\nRUN yarn install --pure-lockfile --ignore-scripts\n"
        'CMD ["node", "main.js"]\n',
        files,
        f"FROM node:22-slim\nENV YARN_REGISTRY={url}/npm npm_config_registry={url}/npm/\n",
        made.served,
        made.source,
        made.change,
        made.said,
        ("/usr/local/share/.cache/**", "/tmp/**"),
    )


def pip(url: str) -> Project:
    return Project(
        "python:3.13-slim",
        "FROM python:3.13-slim\nWORKDIR /app\nCOPY . .\nRUN pip install -r requirements.txt\n"
        'CMD ["python", "main.py"]\n',
        {"requirements.txt": "greet==1.0.0\n", "main.py": "import greet\n\nprint(greet.WORD)\n"},
        f"FROM python:3.13-slim\nENV PIP_INDEX_URL={url}/simple\n",
        registries.wheel(url)[0],
        "main.py",
        "#",
        "python main.py",
        ("/root/.cache/**",),
    )


def uv(url: str) -> Project:
    served, lock = registries.wheel(url)
    return Project(
        "python:3.13-slim",
        'FROM python:3.13-slim\nWORKDIR /app\nCOPY . .\nRUN uv sync --frozen\nCMD [".venv/bin/python", "main.py"]\n',
        {
            "pyproject.toml": '[project]\nname = "app"\nversion = "0.1.0"\nrequires-python = ">=3.10"\n'
            'dependencies = ["greet"]\n',
            "uv.lock": lock,
            "main.py": "import greet\n\nprint(greet.WORD)\n",
        },
        f"FROM python:3.13-slim\nRUN pip install --no-cache-dir --root-user-action=ignore uv\n"
        f"ENV UV_DEFAULT_INDEX={url}/simple UV_PYTHON_DOWNLOADS=never\n",
        served,
        "main.py",
        "#",
        ".venv/bin/python main.py",
        ("/root/.cache/**",),
    )


def go(url: str) -> Project:
    served, sums = registries.go_module()
    return Project(
        "golang:1.24",
        'FROM golang:1.24\nWORKDIR /src\nCOPY . .\nRUN go mod download\nRUN go build -o /hello .\nCMD ["/hello"]\n',
        {
            "go.mod": "module example.test/hello\n\ngo 1.24\n\nrequire example.test/greet v1.0.0\n",
            "go.sum": sums,
            "main.go": 'package main\n\nimport "example.test/greet"\n\nfunc main() { println(greet.Word()) }\n',
        },
        f"FROM golang:1.24\nENV GOPROXY={url}/go GOSUMDB=off\n",
        served,
        "main.go",
        "//",
        "/hello 2>&1",
        ("/root/.cache/**", "/root/.config/**"),
    )


def go_build(url: str) -> Project:
    dockerfile = 'FROM golang:1.24\nWORKDIR /src\nCOPY . .\nRUN go build -o /hello .\nCMD ["/hello"]\n'
    made: Project = replace(go(url), dockerfile=dockerfile, tier="unsafe")
    return made


def go_own(url: str) -> Project:
    install = "RUN go mod download && go build -o /hello ."
    dockerfile = f'FROM golang:1.24\nWORKDIR /src\nCOPY . .\n{install}\nCMD ["/hello"]\n'
    made: Project = replace(go(url), dockerfile=dockerfile)
    return made


def cargo(url: str) -> Project:
    served, lock = registries.crate(url)
    return Project(
        "rust:1.85-slim",
        'FROM rust:1.85-slim\nWORKDIR /src\nCOPY . .\nRUN cargo build --release --locked\nCMD ["target/release/app"]\n',
        {
            "Cargo.toml": '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n\n[dependencies]\n'
            'greet = { version = "1", registry = "local" }\n',
            "Cargo.lock": lock,
            "src/main.rs": 'fn main() { println!("{}", greet::word()); }\n',
        },
        f"FROM rust:1.85-slim\nENV CARGO_REGISTRIES_LOCAL_INDEX=sparse+{url}/cargo/ CARGO_NET_OFFLINE=false\n",
        served,
        "src/main.rs",
        "//",
        "target/release/app",
        ("/src/target/**",),
        "unsafe",
    )


def bundler(url: str) -> Project:
    lock = (
        f"GEM\n  remote: {url}/gems/\n  specs:\n    greet (1.0.0)\n\nPLATFORMS\n  ruby\n  x86_64-linux\n\n"
        "DEPENDENCIES\n  greet\n\nBUNDLED WITH\n   2.6.7\n"
    )
    return Project(
        "ruby:3.3",
        "FROM ruby:3.3\nWORKDIR /app\nENV BUNDLE_FROZEN=1\nCOPY . .\nRUN bundle install\n"
        'CMD ["bundle", "exec", "ruby", "main.rb"]\n',
        {
            "Gemfile": f'source "{url}/gems"\n\ngem "greet"\n',
            "Gemfile.lock": lock,
            "main.rb": 'require "greet"\n\nputs Greet::WORD\n',
        },
        "FROM ruby:3.3\n",
        registries.gem(),
        "main.rb",
        "#",
        "bundle exec ruby main.rb",
        ("/root/.bundle/**", "/root/.local/**", "/usr/local/bundle/**"),
    )


def composer(url: str) -> Project:
    served, lock = registries.composer_package(url)
    return Project(
        "php:8-cli",
        'FROM php:8-cli\nWORKDIR /app\nCOPY . .\nRUN composer install --no-interaction\nCMD ["php", "main.php"]\n',
        {
            "composer.json": '{"name": "example/app", "require": {"example/greet": "1.0.0"},\n'
            ' "repositories": [{"packagist.org": false}], "config": {"secure-http": false}}\n',
            "composer.lock": lock,
            "main.php": '<?php\nrequire "vendor/autoload.php";\necho Greet\\Word::TEXT, "\\n";\n',
        },
        "FROM php:8-cli\nRUN apt-get update && apt-get install -y --no-install-recommends composer unzip\n"
        "ENV COMPOSER_ALLOW_SUPERUSER=1\n",
        served,
        "main.php",
        "//",
        "php main.php",
        ("/root/.composer/**", "/root/.cache/**"),
    )


_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>example</groupId>
  <artifactId>app</artifactId>
  <version>1.0</version>
  <properties>
    <maven.compiler.source>21</maven.compiler.source>
    <maven.compiler.target>21</maven.compiler.target>
    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
    <project.build.outputTimestamp>2024-01-01T00:00:00Z</project.build.outputTimestamp>
  </properties>
  <dependencies>
    <dependency><groupId>commons-io</groupId><artifactId>commons-io</artifactId><version>debian</version></dependency>
  </dependencies>
  <build>
    <plugins>
      <plugin><artifactId>maven-dependency-plugin</artifactId><version>3.8.1</version></plugin>
      <plugin><artifactId>maven-deploy-plugin</artifactId><version>3.1.4</version></plugin>
      <plugin><artifactId>maven-site-plugin</artifactId><version>3.21.0</version></plugin>
    </plugins>
  </build>
</project>
"""
_JAVA = """public class Main {
    public static void main(String[] words) {
        System.out.println(new String("%s"));
    }
}
"""


def maven(url: str) -> Project:
    """Downloads from Debian's packages, as a repository of files. go-offline fetches the plugins of all phases, so that
    the POM names the versions that Debian has also of those that the build does not run."""
    settings = (
        "<settings><mirrors><mirror><id>debian</id><mirrorOf>*</mirrorOf><url>file:///usr/share/maven-repo</url>"
        "</mirror></mirrors></settings>"
    )
    return Project(
        "maven:3.9",
        'FROM maven:3.9\nWORKDIR /src\nCOPY . .\nRUN mvn -B package\nCMD ["java", "-cp", "target/classes", "Main"]\n',
        {"pom.xml": _POM, "src/main/java/Main.java": _JAVA % WORD},
        "FROM maven:3.9\nRUN apt-get update && apt-get install -y --no-install-recommends"
        " libmaven-dependency-plugin-java libcommons-io-java libmaven-clean-plugin-java libmaven-install-plugin-java"
        " libmaven-deploy-plugin-java libmaven-site-plugin-java\n"
        f"RUN echo '{settings}' >/root/.m2/settings.xml\n",
        {},
        "src/main/java/Main.java",
        "//",
        "java -cp target/classes Main",
        ("/src/target/**",),
        "unsafe",
    )


PROJECTS: dict[str, Callable[[str], Project]] = {
    made.__name__: made for made in (npm, yarn, pip, uv, go, go_build, go_own, cargo, bundler, composer, maven)
}
