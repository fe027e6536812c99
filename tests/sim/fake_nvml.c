/* A stand-in for libnvidia-ml.so.1 with one GPU, whose state the test sets: what eos calls, and nothing more. */
#include <stdio.h>
#include <string.h>

struct FakeGpu {
  int init_status, has_counter, has_instant, has_power;
  unsigned long long millijoules;
  unsigned milliwatts, instant_milliwatts, celsius, megahertz;
  const char *uuid, *bus;
};
static struct FakeGpu gpu;
static int users = 0;

enum { SUCCESS = 0, NOT_SUPPORTED = 3, NOT_FOUND = 6 };
struct Field {
  unsigned field, scope;
  long long timestamp, latency;
  int type, status;
  union { double d; unsigned ui; unsigned long long ull; } value;
};

void fake_nvml_set(const struct FakeGpu *state) { gpu = *state; }
int fake_nvml_users(void) { return users; }

int nvmlInit_v2(void) { return gpu.init_status != 0 ? gpu.init_status : (++users, SUCCESS); }
int nvmlShutdown(void) { return --users, SUCCESS; }
const char *nvmlErrorString(int status) {
  return status == NOT_FOUND ? "Not Found" : status == NOT_SUPPORTED ? "Not Supported" : "Driver Not Loaded";
}
int nvmlDeviceGetHandleByUUID(const char *uuid, void **device) {
  if (strcmp(uuid, gpu.uuid) != 0) return NOT_FOUND;
  *device = &gpu;
  return SUCCESS;
}
int nvmlDeviceGetHandleByPciBusId_v2(const char *bus, void **device) {
  if (strcmp(bus, gpu.bus) != 0) return NOT_FOUND;
  *device = &gpu;
  return SUCCESS;
}
int nvmlDeviceGetTotalEnergyConsumption(void *device, unsigned long long *millijoules) {
  const struct FakeGpu *g = device;
  if (!g->has_counter) return NOT_SUPPORTED;
  *millijoules = g->millijoules;
  return SUCCESS;
}
int nvmlDeviceGetPowerUsage(void *device, unsigned *milliwatts) {
  const struct FakeGpu *g = device;
  if (!g->has_power) return NOT_SUPPORTED;
  *milliwatts = g->milliwatts;
  return SUCCESS;
}
int nvmlDeviceGetFieldValues(void *device, int count, struct Field *fields) {
  const struct FakeGpu *g = device;
  for (int i = 0; i < count; ++i) {
    fields[i].status = g->has_instant && fields[i].field == 186 ? SUCCESS : NOT_SUPPORTED;
    fields[i].type = 1;
    fields[i].value.ui = g->instant_milliwatts;
  }
  return SUCCESS;
}
int nvmlDeviceGetName(void *device, char *text, unsigned size) {
  (void)device;
  snprintf(text, size, "Fake GPU");
  return SUCCESS;
}
int nvmlDeviceGetUUID(void *device, char *text, unsigned size) {
  const struct FakeGpu *g = device;
  snprintf(text, size, "%s", g->uuid);
  return SUCCESS;
}
int nvmlSystemGetDriverVersion(char *text, unsigned size) {
  snprintf(text, size, "580.1");
  return SUCCESS;
}
int nvmlDeviceGetTemperature(void *device, int sensor, unsigned *celsius) {
  const struct FakeGpu *g = device;
  *celsius = g->celsius;
  return sensor == 0 ? SUCCESS : NOT_SUPPORTED;
}
int nvmlDeviceGetClockInfo(void *device, int clock, unsigned *megahertz) {
  const struct FakeGpu *g = device;
  *megahertz = g->megahertz;
  return clock == 1 ? SUCCESS : NOT_SUPPORTED;
}
