PHP_ARG_ENABLE([morse], [whether to enable morse], [AS_HELP_STRING([--enable-morse], [Enable morse])], [no])

if test "$PHP_MORSE" != "no"; then
  PHP_NEW_EXTENSION(morse, morse.c, $ext_shared)
fi
