#define PY_SSIZE_T_CLEAN
#include <Python.h>

static PyObject *climb(PyObject *self, PyObject *list) {
    long up = 0, last = 0;
    for (Py_ssize_t i = 0; i < PyList_Size(list); i++) {
        long now = PyLong_AsLong(PyList_GetItem(list, i));
        if (i && now > last) up += now - last;
        last = now;
    }
    return PyLong_FromLong(up);
}

static PyMethodDef methods[] = {{"climb", climb, METH_O, ""}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "hill", "", -1, methods};
PyMODINIT_FUNC PyInit_hill(void) { return PyModule_Create(&module); }
