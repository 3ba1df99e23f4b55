from setuptools import Extension, setup

setup(name="hill", version="1", ext_modules=[Extension("hill", ["hill.c"])])
