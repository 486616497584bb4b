int half(unsigned int x) { return x / 2; } int length(const char *text, unsigned char most) { return text[0] ? most : 0; }
