#include <ruby.h>

static long smaller(long a, long b) { return a < b ? a : b; }

static VALUE distance(VALUE self, VALUE left, VALUE right) {
  StringValue(left);
  StringValue(right);
  const char *a = RSTRING_PTR(left), *b = RSTRING_PTR(right);
  long n = RSTRING_LEN(left), m = RSTRING_LEN(right);
  long *row = ALLOC_N(long, m + 1);
  for (long j = 0; j <= m; j++) row[j] = j;
  for (long i = 1; i <= n; i++) {
    long before = row[0];
    row[0] = i;
    for (long j = 1; j <= m; j++) {
      long up = row[j];
      row[j] = smaller(smaller(row[j] + 1, row[j - 1] + 1), before + (a[i - 1] != b[j - 1]));
      before = up;
    }
  }
  long found = row[m];
  xfree(row);
  return LONG2NUM(found);
}

void Init_levenshtein_c(void) {
  VALUE module = rb_define_module("LevenshteinC");
  rb_define_module_function(module, "distance", distance, 2);
}
