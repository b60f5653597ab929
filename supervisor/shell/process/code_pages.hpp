// What only a start needed.
#pragma once

namespace corral::process {

/// It need not stay mapped: it is a clean copy of the binary's file, and the little that is needed again is mapped again at a
/// fraction of a microsecond a page.
void release_code_pages();

}  // namespace corral::process
