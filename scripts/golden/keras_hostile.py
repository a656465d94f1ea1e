"""HDF5 files that point out of themselves or claim more than they hold, made of one that Keras wrote.

Run with Debian's h5py: /usr/bin/python3 scripts/golden/keras_hostile.py
Writes packages/keras/fixtures/hostile.json: what was done, and the file in Base64 after deflate.
"""

import base64
import json
import os
import shutil
import tempfile
import zlib

import h5py
import numpy as np

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
FOLDER = os.path.join(ROOT, 'packages/keras/fixtures')


def first_array(file):
    """The path of an array of weights."""
    found = []
    file['model_weights'].visititems(lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None)
    return 'model_weights/' + found[0]


def external_link(file, path):
    del file[path]
    file[path] = h5py.ExternalLink('/etc/other.h5', '/weights')


def soft_link(file, path):
    file[path + '_there'] = file[path]
    del file[path]
    file[path] = h5py.SoftLink('/' + path + '_there')


def dangling_link(file, path):
    del file[path]
    file[path] = h5py.SoftLink('/nowhere')


def virtual_dataset(file, path):
    shape = file[path].shape
    del file[path]
    layout = h5py.VirtualLayout(shape=shape, dtype='f4')
    layout[...] = h5py.VirtualSource('/etc/other.h5', 'weights', shape=shape)
    file.create_virtual_dataset(path, layout)


def external_storage(file, path):
    shape = file[path].shape
    del file[path]
    file.create_dataset(path, shape=shape, dtype='f4', external=[('/etc/passwd', 0, h5py.h5f.UNLIMITED)])


def cycle(file, path):
    group = file['model_weights']
    group['again'] = group


def nesting(file, path):
    file.create_group('model_weights/' + '/'.join(['deeper'] * 100))


def bomb(file, path):
    del file[path]
    file.create_dataset(path, shape=(40000, 25000), dtype='f4', chunks=(4000, 2500), compression='gzip', fillvalue=1.0)


def dense_bomb(file, path):
    del file[path]
    zeros = np.zeros((4000, 2500), 'f4')
    file.create_dataset(path, data=zeros, chunks=zeros.shape, compression='gzip', compression_opts=9)


lines = []
for change in [external_link, soft_link, dangling_link, virtual_dataset, external_storage, cycle, nesting, bomb, dense_bomb]:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'hostile.h5')
        shutil.copy(os.path.join(FOLDER, 'words.h5'), path)
        with h5py.File(path, 'r+') as file:
            change(file, first_array(file))
        with open(path, 'rb') as file:
            data = file.read()
    name = change.__name__.replace('_', ' ')
    lines.append(json.dumps({'name': name, 'file': base64.b64encode(zlib.compress(data, 9)).decode()}))
with open(os.path.join(FOLDER, 'hostile.json'), 'w') as file:
    file.write('[\n' + ',\n'.join(lines) + '\n]\n')
