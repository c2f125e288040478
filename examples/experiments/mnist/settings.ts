/** The settings of the experiment on MNIST. */

/** The number of images at the front of the training images that are for validation. */
export const VALIDATION_IMAGES = 5000;
export const BATCH_SIZE = 32;
export const LEARNING_RATE = 0.001;
