/* The same API from C, on three threads at once: the first argument is how many ranges each of them makes. */
#include <nvtx3/nvToolsExt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static int n_ranges;

static void* annotate(void* message) {
  for (int i = 0; i < n_ranges; ++i) {
    nvtxRangePushA((const char*)message);
    nvtxRangePop();
  }
  return NULL;
}

int main(int argc, char** argv) {
  const char* messages[] = {"in C, first", "in C, second", "in C, third"};
  pthread_t threads[3];
  n_ranges = argc > 1 ? atoi(argv[1]) : 1;
  for (int i = 0; i < 3; ++i)
    if (pthread_create(&threads[i], NULL, annotate, (void*)messages[i]) != 0) return 1;
  for (int i = 0; i < 3; ++i) pthread_join(threads[i], NULL);
  puts("output of the program");
  return 9;
}
