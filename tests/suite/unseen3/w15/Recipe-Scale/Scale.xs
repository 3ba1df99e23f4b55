#define PERL_NO_GET_CONTEXT
#include "EXTERN.h"
#include "perl.h"
#include "XSUB.h"

/* the nearest amount that a kitchen scale can show */
static double nearest(double amount, double step) {
    long whole = (long)(amount / step + 0.5);
    return whole > 0 ? whole * step : step;
}

MODULE = Recipe::Scale  PACKAGE = Recipe::Scale

PROTOTYPES: DISABLE

double
nearest(amount, step)
    double amount
    double step
