struct broken { nosuch_t x; };
