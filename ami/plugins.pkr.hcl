# What Packer installs with `packer init`. A file of its own: Packer 1.6 has the plugin built in and does not know
# this block, so whoever uses that one leaves this file away.

packer {
  required_version = ">= 1.6.6"

  required_plugins {
    amazon = {
      source  = "github.com/hashicorp/amazon"
      version = "~> 1.3"
    }
  }
}
