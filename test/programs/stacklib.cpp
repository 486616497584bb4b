// A library whose functions call back.
#include "stacklib.h"

#define NOT_LAST asm volatile("")

namespace shelf {

struct Book {
  [[gnu::noinline]] int read(void (*function)(int), int n) {
    function(n);
    NOT_LAST;
    return 1;
  }
};

[[gnu::noinline]] int open(void (*function)(int), int n) {
  Book book;
  int result = book.read(function, n);
  NOT_LAST;
  return result;
}

}  // namespace shelf

int library_entry(void (*function)(int), int n) {
  int result = shelf::open(function, n);
  NOT_LAST;
  return result;
}
