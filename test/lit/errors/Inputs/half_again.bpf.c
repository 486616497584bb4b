int half(unsigned int x) { return x / 2; }
