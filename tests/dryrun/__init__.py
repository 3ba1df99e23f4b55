"""The dry run: builds Dockerfiles before and after a rewrite in worlds of stand-ins, and tells where the two differ.

BuildKit's own LLB graph (tests/oracle) says what a build runs. Every RUN runs in a real shell with real file commands,
and with a stand-in for every other program, which logs its call and does to the files what the program is known for.
Compared are which step fails, the calls, the files of the image and its config, less what the applied fixes declare.

    world       the base images: families, users, shells, file commands     effects, programs.toml   what programs do
    sandbox     namespaces, overlays, one command                           stub.c and its parts     the stand-in
    graph       the LLB graph                fileops   COPY, ADD, WORKDIR
    images      bases, contexts, files       steps     RUN                  build     runs a graph
    lacks       what a failed step shows that its world lacks               calls     logged calls and their order
    compare     two builds                   allowed   what fixes declare   modes     checks beyond equality
    trial       one file                     minimize  a small case         generate  random files from idioms
"""
