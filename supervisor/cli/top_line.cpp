#include "supervisor/cli/top_line.hpp"

#include <CLI/CLI.hpp>

#include "supervisor/cli/control_line.hpp"
#include "supervisor/cli/values.hpp"

namespace corral::cli {
namespace {

constexpr const char* about_top = R"(Watch the workers of a running supervisor, in the terminal; restart, stop and signal them.

  corral top                    of ./corral.json, or of the only one that runs
  corral top --interval 5s

  ?  all keys      Up, Down  select      r  restart      s  stop or start      k  signal
  l  follow log    /  filter             o  order        q  leave

Exit status: 0 left with q; 2 usage, nobody of that name, no terminal; 3 no supervisor answers, or it has ended;
128+N ended by signal N.)";

}  // namespace

void TopLine::add_to(CLI::App& app, std::string_view word) {
  parsed_ = app.add_subcommand("top", about_top);
  if (word != "top") {
    return;
  }
  add_whose(*parsed_, options_.whose);
  parsed_->add_option_function<std::string>(
      "--interval", [this](const std::string& text) { options_.interval = parse_wait(text); }, "between two looks (1s)");
  parsed_
      ->add_option_function<std::string>(
          "--colour,--color",
          [this](const std::string& text) {
            options_.colour = text == "always" ? Colour::always : text == "never" ? Colour::never : Colour::automatic;
          },
          "auto, always or never")
      ->check(CLI::IsMember({"auto", "always", "never"}));
}

std::optional<int> TopLine::run() const { return parsed_->parsed() ? std::optional(run_top(options_)) : std::nullopt; }

}  // namespace corral::cli
