// The table, part: how a running supervisor is asked and told. "control".
#include "supervisor/config/forms.hpp"
#include "supervisor/config/keys.hpp"
#include "supervisor/config/object_form.hpp"

namespace corral::config {
namespace {

/// Who can connect is not known there: something has to be shown.
void check_control(const core::ControlSpec& control, const Value& value, Context& context) {
  const Value* listen = value.find("listen");
  if (control.listen && control.token_file.empty()) {
    context.report.add_beyond_schema(listen != nullptr ? listen->range : value.range,
                                     "`listen` needs `token_file`: the file with the token that clients have to show");
  }
}

/// Optional, in the table of a key that has no default.
Form<std::optional<core::LoopbackAddress>> maybe_loopback_address() {
  return converted<std::optional<core::LoopbackAddress>>(
      loopback_address(), [](core::LoopbackAddress address) { return std::optional(std::move(address)); });
}

}  // namespace

Form<core::ControlSpec> control_form() {
  using core::ControlSpec;
  return object_form<ControlSpec>(
      "Control",
      "Where a running supervisor can be asked and told: `corral status` and its like, and any client of HTTP. Whoever can open "
      "the socket may do all that the supervisor may; it is its owner's alone. A reload does not change it.",
      {field<ControlSpec>(
           "enabled", [](auto& control) -> auto& { return control.enabled; }, [] { return boolean(); },
           {.meaning = "Whether it can be asked at all.", .example = "false"}),
       field<ControlSpec>(
           "socket", [](auto& control) -> auto& { return control.socket; }, [] { return socket_path(); },
           {.meaning =
                "Its path, of at most 107 bytes. Where it is not absolute it is meant from the folder of the configuration file.",
            .example = R"("/run/crunch.sock")",
            .otherwise = "named after the configuration file, in `/run/corral` for root, otherwise in `$XDG_RUNTIME_DIR/corral`, "
                         "without that in `/tmp/corral-UID`"}),
       field<ControlSpec>(
           "listen", [](auto& control) -> auto& { return control.listen; }, maybe_loopback_address,
           {.meaning = "A TCP port beside the socket, on an address of the loopback interface. Every request has to show the "
                       "token of `token_file`.",
            .example = R"("127.0.0.1:8080")",
            .otherwise = "no TCP"}),
       field<ControlSpec>(
           "token_file", [](auto& control) -> auto& { return control.token_file; }, [] { return expandable_string("a path", 1); },
           {.meaning = "The file with that token, which only its owner can read. One that is missing is made, with a new token. "
                       "Where it is not "
                       "absolute it is meant from the folder of the configuration file.",
            .example = R"("/etc/corral/token")",
            .otherwise = "none"})},
      check_control);
}

Form<core::ReloadPolicy> reload_form() {
  using core::ReloadPolicy;
  return object_form<ReloadPolicy>(
      "Reloads", "How this configuration takes the place of another one.",
      {field<ReloadPolicy>(
          "rollback", [](auto& reload) -> auto& { return reload.rollback; }, [] { return boolean(); },
          {.meaning = "Unless every worker that the reload starts or replaces runs for its `restart.healthy_after`, or ends "
                      "well before, the configuration before it comes back. `corral reload --rollback` asks for the same once.",
           .example = "true"})});
}

}  // namespace corral::config
