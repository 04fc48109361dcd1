#include <lamina/c_api.h>
#include <stdio.h>

int main(void) {
  printf("%s\n", lamina_version());
  return 0;
}
