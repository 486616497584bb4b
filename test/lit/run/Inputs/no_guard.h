struct awl_point {
  int x, y;
};
enum awl_color { AWL_RED, AWL_GREEN = 5 };
#define AWL_SIZE 12
