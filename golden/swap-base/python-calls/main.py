import subprocess

subprocess.run(["git", "--version"])
