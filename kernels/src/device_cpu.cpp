#include <fmt/format.h>
#include <unistd.h>

#include <array>

#include "eos/core/error.hpp"
#include "eos/kernels/device.hpp"
#include "replica_backend.hpp"

namespace eos::kernels {

namespace {

const std::array<std::string, 3> k_products{"fp32", "tf32", "bf16"};  // as the enum

[[noreturn]] void unknown(const std::string& name) {
  const auto close = core::did_you_mean(name, {"auto", "cpu", "cuda", "cuda:0", "cuda:fp32", "cuda:tf32", "cuda:bf16"});
  throw core::Error(
      "E106", fmt::format("unknown device '{}'", name),
      (close.empty() ? "" : fmt::format("did you mean '{}'? ", close.front())) +
          "allowed: auto, cpu, cuda, cuda:N for device number N, and after a cuda name :fp32, :tf32 or :bf16, "
          "e.g. cuda:1:bf16");
}

}  // namespace

const std::string& to_string(Products products) { return k_products[static_cast<std::size_t>(products)]; }

DeviceName parse_device(const std::string& name) {
  DeviceName parsed;
  parsed.automatic = name == "auto";
  if (parsed.automatic) parsed.products = Products::tf32;
  if (parsed.automatic || name == "cpu") return parsed;
  const std::string k_cuda = "cuda";
  if (!name.starts_with(k_cuda)) unknown(name);
  parsed.backend = Backend::cuda, parsed.products = Products::tf32;
  std::string number = name.substr(k_cuda.size());
  for (std::size_t i = 0; i < k_products.size(); ++i) {
    if (!number.ends_with(":" + k_products[i])) continue;
    parsed.products = static_cast<Products>(i), parsed.says_products = true;
    number.resize(number.size() - k_products[i].size() - 1);
    break;
  }
  if (number.empty()) return parsed;
  const bool digits = number[0] == ':' && number.size() > 1 && number.size() < 6 &&
                      number.find_first_not_of("0123456789", 1) == std::string::npos;
  if (!digits) unknown(name);
  parsed.index = std::stoi(number.substr(1)), parsed.says_index = true;
  return parsed;
}

std::string describe_device(const Context& context) {
  if (context.backend() == Backend::cpu) return context.device_name();
  return fmt::format("{}, products in {}", context.device_name(), to_string(products(context)));
}

void set_products(const Context& context, Products products) {
  if (context.backend() == Backend::cuda) cuda::set_products(*context.cuda_state(), products);
}

Products products(const Context& context) {
  return context.backend() == Backend::cuda ? cuda::products(*context.cuda_state()) : Products::fp32;
}

std::size_t free_bytes(const Context& context) {
  if (context.backend() == Backend::cuda) return cuda::free_bytes(*context.cuda_state());
  const long pages = sysconf(_SC_AVPHYS_PAGES), size = sysconf(_SC_PAGESIZE);
  return pages > 0 && size > 0 ? static_cast<std::size_t>(pages) * static_cast<std::size_t>(size) : SIZE_MAX / 2;
}

}  // namespace eos::kernels
