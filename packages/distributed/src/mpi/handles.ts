/**
 * What the constants of MPI are in its two families: Open MPI's are addresses of things in its library, MPICH's numbers of its
 * header, and those of the common binary interface of MPI 5 small numbers in place of addresses.
 */

/** A handle as it is given to C: a number or an address. */
export type Handle = number | bigint;

export type Family = 'MPI 5' | 'Open MPI' | 'MPICH';

export interface Handles {
  /** How a handle is written in the prototype of a function. */
  readonly type: 'int' | 'void *';
  readonly world: Handle;
  readonly types: {
    readonly Float32Array: Handle;
    readonly Float64Array: Handle;
    readonly Int32Array: Handle;
    readonly byte: Handle;
  };
  readonly reductions: { readonly sum: Handle; readonly max: Handle; readonly min: Handle };
  /** In place of what is sent: it is where the result goes. */
  readonly inPlace: bigint;
  /** Where errors are answered and do not end the process. */
  readonly errorsReturn: Handle;
}

/** `addressOf`: where a name of the library lies. */
export function handlesOf(family: Family, addressOf: (name: string) => bigint): Handles {
  if (family === 'MPICH') {
    return {
      type: 'int',
      world: 0x44000000,
      types: { Float32Array: 0x4c00040a, Float64Array: 0x4c00080b, Int32Array: 0x4c000405, byte: 0x4c00010d },
      reductions: { sum: 0x58000003, max: 0x58000001, min: 0x58000002 },
      inPlace: 0xffff_ffff_ffff_ffffn,
      errorsReturn: 0x54000001,
    };
  }
  if (family === 'MPI 5') {
    return {
      type: 'void *',
      world: 0x101n,
      types: { Float32Array: 0x210n, Float64Array: 0x214n, Int32Array: 0x209n, byte: 0x247n },
      reductions: { sum: 0x21n, max: 0x23n, min: 0x22n },
      inPlace: 1n,
      errorsReturn: 0x143n,
    };
  }
  const at = (name: string): bigint => addressOf(`ompi_${name}`);
  return {
    type: 'void *',
    world: at('mpi_comm_world'),
    types: {
      Float32Array: at('mpi_float'),
      Float64Array: at('mpi_double'),
      Int32Array: at('mpi_int'),
      byte: at('mpi_byte'),
    },
    reductions: { sum: at('mpi_op_sum'), max: at('mpi_op_max'), min: at('mpi_op_min') },
    inPlace: 1n,
    errorsReturn: at('mpi_errors_return'),
  };
}
