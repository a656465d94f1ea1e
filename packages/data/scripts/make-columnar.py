"""Writes fixtures/columnar.json by pyarrow: Parquet and Arrow files of one table in the codecs, encodings, pages and versions that
writers use, and the values that pyarrow itself reads from them. Debian 12 has no pyarrow: pip install pyarrow==25.0.1

    python3 packages/data/scripts/make-columnar.py
"""

import base64
import datetime
import decimal
import io
import json
import os

import pyarrow
import pyarrow.feather
import pyarrow.ipc
import pyarrow.parquet

FIXTURES = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'fixtures')
COUNT = 23
INDICES = range(COUNT)
START = datetime.datetime(1999, 12, 31, 23, 30)
ZONE = datetime.timezone.utc


def some(make, missing=5):
    """A value for each row, none in every fifth."""
    return [None if i % missing == 3 else make(i) for i in INDICES]


COLUMNS = {
    'double': pyarrow.array(some(lambda i: i / 8 - 1), pyarrow.float64()),
    'single': pyarrow.array(some(lambda i: i / 4), pyarrow.float32()),
    'half': pyarrow.array([i / 2 for i in INDICES], pyarrow.float16()),
    'tiny': pyarrow.array(some(lambda i: i - 128), pyarrow.int8()),
    'short': pyarrow.array([i * 1000 for i in INDICES], pyarrow.uint16()),
    'int': pyarrow.array(some(lambda i: -(7**i) % 2**31), pyarrow.int32()),
    'long': pyarrow.array(some(lambda i: (i - 11) * 10**14), pyarrow.int64()),
    'natural': pyarrow.array([i * 3 for i in INDICES], pyarrow.uint64()),
    'flag': pyarrow.array(some(lambda i: i % 3 == 0), pyarrow.bool_()),
    'text': pyarrow.array(some(lambda i: 'grüße 漢字 ' * (i % 4) + str(i)), pyarrow.string()),
    'wide': pyarrow.array([f'row {i}' for i in INDICES], pyarrow.large_string()),
    'kind': pyarrow.array(some(lambda i: ['plum', 'apple', 'pear'][i % 3])).dictionary_encode(),
    'day': pyarrow.array(some(lambda i: (START + datetime.timedelta(days=i)).date()), pyarrow.date32()),
    'second': pyarrow.array([START + datetime.timedelta(seconds=i) for i in INDICES], pyarrow.timestamp('s')),
    'milli': pyarrow.array(some(lambda i: START + datetime.timedelta(milliseconds=i)), pyarrow.timestamp('ms')),
    'micro': pyarrow.array([START + datetime.timedelta(milliseconds=7 * i) for i in INDICES], pyarrow.timestamp('us', 'UTC')),
    'price': pyarrow.array([decimal.Decimal(25 * i - 100) / 100 for i in INDICES], pyarrow.decimal128(9, 2)),
    'nothing': pyarrow.array([None] * COUNT, pyarrow.float64()),
}
TABLE = pyarrow.table(COLUMNS)


def plain(value):
    """As rows have it: dates in ISO 8601 as JavaScript writes them, decimals as numbers."""
    if isinstance(value, datetime.datetime):
        value = value.astimezone(ZONE) if value.tzinfo else value.replace(tzinfo=ZONE)
        return value.strftime('%Y-%m-%dT%H:%M:%S.') + f'{value.microsecond // 1000:03}Z'
    if isinstance(value, datetime.date):
        return value.strftime('%Y-%m-%dT00:00:00.000Z')
    return float(value) if isinstance(value, decimal.Decimal) else value


def read_back(table):
    return {name: [plain(value) for value in table[name].to_pylist()] for name in table.column_names}


def parquet(table, **options):
    body = io.BytesIO()
    pyarrow.parquet.write_table(table, body, **options)
    body.seek(0)
    assert read_back(pyarrow.parquet.read_table(body)) == EXPECTED
    return body.getvalue()


def arrow(form, **options):
    body = io.BytesIO()
    opener = pyarrow.ipc.new_stream if form == 'stream' else pyarrow.ipc.new_file
    with opener(body, TABLE.schema, options=pyarrow.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(TABLE, max_chunksize=9)
    opener = pyarrow.ipc.open_stream if form == 'stream' else pyarrow.ipc.open_file
    assert read_back(opener(body.getvalue()).read_all()) == EXPECTED
    return body.getvalue()


EXPECTED = read_back(TABLE)
DELTAS = {'int': 'DELTA_BINARY_PACKED', 'long': 'DELTA_BINARY_PACKED', 'text': 'DELTA_BYTE_ARRAY', 'wide': 'DELTA_LENGTH_BYTE_ARRAY'}
SPLITS = {'double': 'BYTE_STREAM_SPLIT', 'single': 'BYTE_STREAM_SPLIT'}
FILES = {
    'parquet': {
        'snappy, dictionaries, groups of 9': parquet(TABLE, row_group_size=9),
        'uncompressed, plain, format 1.0': parquet(TABLE, compression='none', use_dictionary=False, version='1.0'),
        'gzip, pages 2.0': parquet(TABLE, compression='gzip', data_page_version='2.0', row_group_size=9),
        'zstd, small pages': parquet(TABLE, compression='zstd', data_page_size=64, write_batch_size=4),
        'brotli, checksums and statistics': parquet(TABLE, compression='brotli', write_page_checksum=True, write_page_index=True),
        'lz4, no statistics': parquet(TABLE, compression='lz4', write_statistics=False),
        'deltas and split bytes': parquet(TABLE, use_dictionary=False, column_encoding={**DELTAS, **SPLITS}),
        'timestamps as int96': parquet(TABLE, use_deprecated_int96_timestamps=True),
    },
    'arrow': {
        'file, batches of 9': arrow('file'),
        'stream, batches of 9': arrow('stream'),
        'stream, one dictionary at the end of each batch': arrow('stream', emit_dictionary_deltas=True),
        'file, format of before 0.15': arrow('file', use_legacy_format=True),
    },
    'packed': {codec: arrow('file', compression=codec) for codec in ['lz4', 'zstd']},
}

# repeated pieces: no bytes, literals alone, matches that reach into themselves, long ones, several blocks
PIECES = [('', 0), ('nn', 1), ('a', 300), ('abc', 7), ('0123456789' * 30, 2), ('grüße ', 50_000)]
LZ4 = [
    {
        'piece': piece,
        'times': times,
        'block': base64.b64encode(pyarrow.compress((piece * times).encode(), codec='lz4_raw', asbytes=True)).decode(),
        'frame': base64.b64encode(pyarrow.compress((piece * times).encode(), codec='lz4', asbytes=True)).decode(),
    }
    for piece, times in PIECES
]

with open(os.path.join(FIXTURES, 'columnar.json'), 'w') as file:
    encoded = {kind: {name: base64.b64encode(body).decode() for name, body in files.items()} for kind, files in FILES.items()}
    json.dump({'writer': f'pyarrow {pyarrow.__version__}', 'expected': EXPECTED, **encoded, 'lz4': LZ4}, file, ensure_ascii=False, indent=1)
    file.write('\n')
