// The API's other entrance: a TCP port that only this machine reaches.
#pragma once

#include "common/base/file_descriptor.hpp"
#include "common/base/result.hpp"
#include "supervisor/core/spec.hpp"

namespace corral::api {

/// Bound and listening. The error says where and why not.
[[nodiscard]] Result<FileDescriptor> listen_at(const core::LoopbackAddress& address);

}  // namespace corral::api
