/** Every tokenizer.json, by the package @huggingface/tokenizers, which you install beside this one. */
export { huggingFace } from './hugging-face.ts';
