// Two thousand functions, many_0000 to many_1999, each called once.
volatile int many_sink;

#define EACH_10(X, n) X(n##0) X(n##1) X(n##2) X(n##3) X(n##4) X(n##5) X(n##6) X(n##7) X(n##8) X(n##9)
#define EACH_100(X, n)                                                                       \
  EACH_10(X, n##0) EACH_10(X, n##1) EACH_10(X, n##2) EACH_10(X, n##3) EACH_10(X, n##4)       \
  EACH_10(X, n##5) EACH_10(X, n##6) EACH_10(X, n##7) EACH_10(X, n##8) EACH_10(X, n##9)
#define EACH_1000(X, n)                                                                      \
  EACH_100(X, n##0) EACH_100(X, n##1) EACH_100(X, n##2) EACH_100(X, n##3) EACH_100(X, n##4)  \
  EACH_100(X, n##5) EACH_100(X, n##6) EACH_100(X, n##7) EACH_100(X, n##8) EACH_100(X, n##9)

#define DEFINE(n) __attribute__((noinline)) void many_##n(void) { ++many_sink; }
#define CALL(n) many_##n();

EACH_1000(DEFINE, 0)
EACH_1000(DEFINE, 1)

int main(void) {
  EACH_1000(CALL, 0)
  EACH_1000(CALL, 1)
  return 0;
}
