"""Writes fixtures/samples-{ustar,pax,gnu}.tar by Python's tarfile: three samples in folders, names of more than 100 characters, names
that are no ASCII, a folder and a link between them.

    /usr/bin/python3 packages/data/scripts/make-tars.py
"""

import io
import os
import tarfile

FIXTURES = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'fixtures')
FORMATS = {'ustar': tarfile.USTAR_FORMAT, 'pax': tarfile.PAX_FORMAT, 'gnu': tarfile.GNU_FORMAT}
LONG = 'a-folder-with-a-long-name/' * 5


def add(archive, name, body=b'', kind=tarfile.REGTYPE):
    entry = tarfile.TarInfo(name)
    entry.size, entry.type, entry.linkname = len(body), kind, 'train/0000.txt' if kind == tarfile.SYMTYPE else ''
    archive.addfile(entry, io.BytesIO(body))


for name, form in FORMATS.items():
    with tarfile.open(os.path.join(FIXTURES, f'samples-{name}.tar'), 'w', format=form) as archive:
        add(archive, 'train', kind=tarfile.DIRTYPE)
        for number in range(2):
            add(archive, f'train/{number:04}.cls', str(number).encode())
            add(archive, f'train/{number:04}.txt', f'text {number} '.encode() * (number * 100))
        add(archive, 'train/latest', kind=tarfile.SYMTYPE)
        add(archive, f'{LONG}0002.cls', b'2')
        add(archive, f'{LONG}0002.seg.txt', b'two')
        if form != tarfile.USTAR_FORMAT:
            add(archive, f'{LONG}{"x" * 120}.cls', b'3')
            add(archive, 'gr\u00fc\u00dfe/\u00e9.cls', b'4')
