// What a script may want of a header.
struct point {
  int x, y;
  char name[8];
};
enum shape { kSquare = 4, kCircle = 9 };
#define SIDES (1UL << 2)
#define LABEL "corner"
#define TWICE(x) ((x) * 2)
#ifdef WANTS_MORE
#define MORE 7
#endif
