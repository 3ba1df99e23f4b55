#include <assert.h>
int main(void) {
    assert(10 == (char)10);
    return 0;
}
