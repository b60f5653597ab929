#include "worker/cpp/fault.hpp"

#include <cxxabi.h>

#include <cstdlib>
#include <memory>
#include <typeinfo>

#include "common/base/text.hpp"
#include "worker/cpp/worker.hpp"

namespace corral::worker {
namespace {

std::string demangled(const std::type_info* type) {
  if (type == nullptr) {
    return "exception";
  }
  struct Free {
    void operator()(char* text) const { std::free(text); }
  };
  int status = 0;
  const std::unique_ptr<char, Free> text(abi::__cxa_demangle(type->name(), nullptr, nullptr, &status));
  return status == 0 && text ? text.get() : type->name();
}

std::string to_json(const Fault& fault, std::string_view message) {
  std::string json = R"({"type":)";
  append_json_string(json, fault.type);
  json += R"(,"message":)";
  append_json_string(json, message);
  json += R"(,"traceback":""})";
  return json;
}

}  // namespace

Fault current_fault() {
  try {
    throw;
  } catch (const Failure& failure) {
    return {failure.type(), failure.message()};
  } catch (const std::exception& error) {
    const char* const what = error.what();  // Whoever overrides it may return anything.
    return {demangled(&typeid(error)), what != nullptr ? what : ""};
  } catch (const abi::__forced_unwind&) {
    throw;
  } catch (...) {
    return {demangled(abi::__cxa_current_exception_type()), "threw something that is no std::exception"};
  }
}

std::string to_json(const Fault& fault, std::size_t longest) {
  std::string json = to_json(fault, fault.message);
  for (std::size_t kept = fault.message.size(); json.size() > longest && kept > 0;) {
    kept /= 2;
    json = to_json(fault, fault.message.substr(0, kept) + " [cut]");
  }
  return json;
}

}  // namespace corral::worker
