// Formats that the kernel itself prints, with bpf_seq_printf() and bpf_trace_printk().
#pragma once

#include <string>

namespace awl::codegen {

// A format of the script, which its check has read, as the kernel wants it: all integers are u64.
std::string kernel_format(const std::string &format);

}  // namespace awl::codegen
