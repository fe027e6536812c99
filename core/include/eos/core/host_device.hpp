// Mark functions that run on the host and on a CUDA device: one formula for both.
#pragma once

#if defined(__CUDACC__)
#define EOS_HD __host__ __device__
#else
#define EOS_HD
#endif
