// The table, part: how a running supervisor is asked and told. "control".
#include "supervisor/config/forms.hpp"
#include "supervisor/config/keys.hpp"
#include "supervisor/config/object_form.hpp"

namespace corral::config {

Form<core::ControlSpec> control_form() {
  using core::ControlSpec;
  return object_form<ControlSpec>(
      "Control",
      "Where a running supervisor can be asked and told: `corral status` and its like, and any client of HTTP. Whoever can open "
      "the socket may do all that the supervisor may; it is its owner's alone. A reload does not change it.",
      {field<ControlSpec>(
           "enabled", [](auto& control) -> auto& { return control.enabled; }, [] { return boolean(); },
           {.meaning = "Whether there is a socket at all.", .example = "false"}),
       field<ControlSpec>(
           "socket", [](auto& control) -> auto& { return control.socket; }, [] { return socket_path(); },
           {.meaning = "Its path, of at most 107 bytes.",
            .example = R"("/run/crunch.sock")",
            .otherwise =
                "named after the configuration file, in `/run/corral` for root, otherwise in `$XDG_RUNTIME_DIR/corral`"})});
}

}  // namespace corral::config
