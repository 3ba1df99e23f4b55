#define PY_SSIZE_T_CLEAN
#include <Python.h>

static PyObject *total(PyObject *self, PyObject *args) {
    Py_buffer text;
    unsigned long sum = 0;
    if (!PyArg_ParseTuple(args, "y*", &text)) return NULL;
    for (Py_ssize_t i = 0; i < text.len; i++) sum += ((unsigned char *)text.buf)[i];
    PyBuffer_Release(&text);
    return PyLong_FromUnsignedLong(sum);
}

static PyMethodDef methods[] = {{"total", total, METH_VARARGS, "The sum of all bytes."}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_sum", NULL, -1, methods};

PyMODINIT_FUNC PyInit__sum(void) { return PyModule_Create(&module); }
