// GCC's start files of static programs register the program's tables for unwinding, and what is
// registered the unwinder sorts when the first exception is thrown: 10 ms for awl. Tables that are
// not registered it finds by their header (--eh-frame-hdr), which the linker has sorted. So the
// linker puts these in the place of what would register them (--wrap).
extern "C" {

// NOLINTBEGIN(bugprone-reserved-identifier): the linker's names.
void __wrap___register_frame_info(const void *, void *) {}

void *__wrap___deregister_frame_info(const void *) { return nullptr; }

// NOLINTEND(bugprone-reserved-identifier)

}  // extern "C"
