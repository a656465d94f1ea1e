/*
 * MPI_Allreduce of float sums in place, as the benchmarks of MPI libraries measure it: for each size some calls to warm up, then
 * the time that one of ten calls on rank 0 stays below, which others on the machine spoil least. Prints a line of JSON.
 *
 *   mpicc -O2 all-reduce.c -o all-reduce && mpirun -np 2 ./all-reduce
 */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  int rank, size;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  const long counts[] = {1, 256, 4096, 65536, 262144, 1048576, 4194304};
  const int sizes = sizeof counts / sizeof *counts;
  float *values = malloc(counts[sizes - 1] * sizeof *values);
  memset(values, 0, counts[sizes - 1] * sizeof *values);
  if (rank == 0) printf("{\"size\":%d,\"microseconds\":{", size);
  for (int at = 0; at < sizes; at++) {
    long count = counts[at];
    int calls = count <= 4096 ? 400 : count <= 262144 ? 100 : 30;
    double *times = malloc(calls * sizeof *times);
    for (int call = -calls / 4; call < calls; call++) {
      double start = MPI_Wtime();
      MPI_Allreduce(MPI_IN_PLACE, values, count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
      if (call >= 0) times[call] = 1e6 * (MPI_Wtime() - start);
    }
    qsort(times, calls, sizeof *times, compare);
    if (rank == 0) printf("%s\"%ld\":%.2f", at ? "," : "", count, times[calls / 10]);
    free(times);
  }
  if (rank == 0) printf("}}\n");
  free(values);
  MPI_Finalize();
  return 0;
}
