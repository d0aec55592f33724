// An empty libcuda.so.1: enough to be found.
extern "C" int cuInit(unsigned) {
  return 0;
}
