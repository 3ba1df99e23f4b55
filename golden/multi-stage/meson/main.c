#include <sqlite3.h>
int main(){return 0;}
