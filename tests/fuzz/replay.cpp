// A fuzz target without libFuzzer: fed every file of the folder named, each also cut in half.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
  if (argc != 2) {
    return 2;
  }
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const auto* data = reinterpret_cast<const std::uint8_t*>(text.data());
    std::printf("%s\n", entry.path().filename().c_str());
    LLVMFuzzerTestOneInput(data, text.size());
    LLVMFuzzerTestOneInput(data, text.size() / 2);
    files++;
  }
  return files > 0 ? 0 : 1;
}
