#!/bin/sh
# Installs the Debian packages eos needs, only those that are missing. Usage: tools/setup.sh [run|test|bench]
#   run    what building and running the program needs
#   test   additionally what the tests need (default)
#   bench  additionally what the benchmarks and their peers need
# As root, or through sudo when it exists; otherwise prints the command to run.
set -eu
scope=${1:-test}
packages="g++ cmake ninja-build pkg-config ca-certificates libeigen3-dev libboost-dev libhdf5-dev libdnnl-dev
  libtomlplusplus-dev libcli11-dev nlohmann-json3-dev libfmt-dev libssl-dev zlib1g-dev libcurl4-openssl-dev
  libcairo2-dev coinor-libipopt-dev fonts-dejavu-core dataset-fashion-mnist"
# Thrust comes with the CUDA toolkit; without one the Debian package serves the OpenMP backend.
command -v nvcc >/dev/null 2>&1 || packages="$packages libthrust-dev"
case $scope in
  run) ;;
  test|bench)
    packages="$packages libgtest-dev libgmock-dev librapidcheck-dev librandom123-dev libadolc-dev hdf5-tools netcdf-bin python3 python3-h5py
      slurm-wlm munge libopenmpi-dev openmpi-bin parallel
      python3-xarray python3-h5netcdf python3-netcdf4 python3-matplotlib python3-scipy python3-nbclient
      python3-nbformat python3-ipykernel python3-pytest" ;;
  *) echo "setup.sh: unknown scope '$scope': use run, test or bench" >&2; exit 2 ;;
esac
[ "$scope" != bench ] || packages="$packages libbenchmark-dev python3-torch"

missing=
for package in $packages; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
install="apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" = 0 ]; then as_root=; elif command -v sudo >/dev/null 2>&1; then as_root=sudo; else
  echo "setup.sh: these packages are missing; as root run: apt-get update && $install" >&2; exit 3
fi
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -q >/dev/null
# shellcheck disable=SC2086  # the list of packages is meant to be split
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >/tmp/eos-setup.log 2>&1 ||
  { tail -20 /tmp/eos-setup.log >&2; echo "setup.sh: installation failed, see /tmp/eos-setup.log" >&2; exit 3; }
