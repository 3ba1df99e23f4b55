#include <sqlite3.h>
int count(void);
int main(void) { return count() + sqlite3_libversion_number() == 0; }
