from setuptools import find_packages, setup

setup(
    name="textmill",
    version="1.1",
    packages=find_packages(),
    install_requires=["markdown", "pyyaml"],
    entry_points={"console_scripts": ["textmill = textmill.cli:main"]},
)
