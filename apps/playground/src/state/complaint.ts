/** What the page itself refuses, in the words of the present language, whenever it is read. */
export class Complaint extends Error {
  readonly say: () => string;
  constructor(say: () => string) {
    super(say());
    this.name = 'Complaint';
    this.say = say;
  }
}
