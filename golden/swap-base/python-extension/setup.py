from setuptools import Extension, setup

setup(ext_modules=[Extension("fast._fast", ["fast.c"])])
