// Why a file cannot be heard; `code` is a text of the page, which names the file.
export class FileProblem extends Error {
  constructor(code, file) {
    super(code);
    this.code = code;
    this.values = { name: file.name, size: file.size };
  }
}
