from setuptools import Extension, setup

setup(package_dir={"": "src"}, packages=["fastsum"], ext_modules=[Extension("fastsum._sum", ["src/fastsum/_sum.c"])])
