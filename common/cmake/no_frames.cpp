// What the start-up code of a static program hands its frames to (crtbeginT.o, by the linker's --wrap). Thrown away: the unwinder
// then looks for the linker's own table (PT_GNU_EH_FRAME, made by --eh-frame-hdr), as it does in every program that is not
// static.

extern "C" {

// NOLINTBEGIN: the linker's names.
void __wrap___register_frame_info(const void* begin, void* object);
void* __wrap___deregister_frame_info(const void* begin);

void __wrap___register_frame_info(const void* /*begin*/, void* /*object*/) {}
void* __wrap___deregister_frame_info(const void* /*begin*/) { return nullptr; }
// NOLINTEND
}
