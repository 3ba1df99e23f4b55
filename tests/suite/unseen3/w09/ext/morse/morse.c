#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "php.h"
#include "ext/standard/info.h"
#include "zend_smart_str.h"
#include <ctype.h>

static const char *letters[] = {".-", "-...", "-.-.", "-..", ".", "..-.", "--.", "....", "..", ".---", "-.-", ".-..", "--",
                                "-.", "---", ".--.", "--.-", ".-.", "...", "-", "..-", "...-", ".--", "-..-", "-.--", "--.."};

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_morse_encode, 0, 1, IS_STRING, 0)
    ZEND_ARG_TYPE_INFO(0, text, IS_STRING, 0)
ZEND_END_ARG_INFO()

PHP_FUNCTION(morse_encode)
{
    char *text;
    size_t length;
    smart_str out = {0};

    ZEND_PARSE_PARAMETERS_START(1, 1)
        Z_PARAM_STRING(text, length)
    ZEND_PARSE_PARAMETERS_END();

    for (size_t at = 0; at < length; at++) {
        if (at) {
            smart_str_appendc(&out, ' ');
        }
        if (isalpha((unsigned char)text[at])) {
            smart_str_appends(&out, letters[tolower((unsigned char)text[at]) - 'a']);
        } else {
            smart_str_appendc(&out, '/');
        }
    }
    RETURN_STR(smart_str_extract(&out));
}

static const zend_function_entry functions[] = {
    PHP_FE(morse_encode, arginfo_morse_encode)
    PHP_FE_END
};

zend_module_entry morse_module_entry = {
    STANDARD_MODULE_HEADER, "morse", functions, NULL, NULL, NULL, NULL, NULL, "0.1", STANDARD_MODULE_PROPERTIES
};

#ifdef COMPILE_DL_MORSE
ZEND_GET_MODULE(morse)
#endif
