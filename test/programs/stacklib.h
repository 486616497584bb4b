#pragma once

extern "C" int library_entry(void (*function)(int), int n);
